"""From a board to its bitstream: the tools, the build and its identity, its figures, the board's flash memory."""
