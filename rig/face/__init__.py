"""The meter's face: what the display, the lamps and the contacts show, for every sink that draws it (D-1)."""
