"""DGCOM, the protocol of the S4 and of firmware 7.x: its link and commands, as far as they are publicly described."""
