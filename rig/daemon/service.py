"""The metering process as a service: in the foreground, its order on a descriptor, its last word on standard error."""

from __future__ import annotations

import os
import sys

import msgspec

from rig.daemon.frames import MOST_BYTES
from rig.daemon.metering import serve
from rig.daemon.startup import Start
from rig.failures import MENDABLE, refuse, unexpected
from rig.plain_text import print_traceback


def main() -> None:
    """`python -m rig.daemon.service DESCRIPTOR`: a pipe that holds the order (rig/daemon/startup.py)."""
    sys.excepthook = print_traceback
    reads = int(sys.argv[1])
    start = msgspec.msgpack.decode(os.read(reads, MOST_BYTES), type=Start)
    os.close(reads)
    try:
        ended = serve(start)
    except MENDABLE as error:
        refuse(str(error))
        sys.exit(getattr(error, "status", 2))
    except Exception as error:
        if "RIG_TRACEBACK" in os.environ:
            raise
        refuse(unexpected(error))
        sys.exit(1)
    if ended.failure:
        refuse(ended.failure)
    sys.exit(ended.status)


if __name__ == "__main__":
    main()
