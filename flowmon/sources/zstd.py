"""zstd, as KumoMTA and some logrotates compress (RFC 8878); in the standard library from Python 3.14 on."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdError, ZstdFile, open
else:
    from backports.zstd import ZstdError, ZstdFile, open

__all__ = ["ZstdError", "ZstdFile", "open"]
