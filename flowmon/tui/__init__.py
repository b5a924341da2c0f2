"""The screens. Nothing outside this package imports Textual.

Textual reads its environment once, when it is imported; this package is imported before it, so the
settings for a slow line are made here.
"""

import os

from flowmon.tui.environment import prepare

prepare(os.environ)
