"""Tones: the few roles that colours have on the screens, taken from the theme."""

from __future__ import annotations

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import Theme

TONES = (
    "text", "muted", "faint", "rule", "title", "heading", "good", "good2", "info", "warn", "bad", "bad2", "accent",
    "key",
)  # fmt: skip
"""`good2` and `bad2` set relayed apart from delivered and rejected from bounced."""

_SOURCES = {
    "text": "foreground",
    "title": "foreground",
    "heading": "primary",
    "good": "success",
    "good2": "secondary",
    "info": "primary",
    "warn": "warning",
    "bad": "error",
    "bad2": "error",
    "accent": "accent",
    "key": "accent",
}
_BLENDS = {"muted": 0.42, "faint": 0.62, "rule": 0.74}
"""How far a tone goes from the foreground to the background where the theme does not name it."""


class Palette:
    """Styles by tone, for one theme. A tone may be several words: `bold warn`."""

    def __init__(self, theme: Theme, variables: dict[str, str]) -> None:
        self.ansi = theme.ansi
        self._variables = variables
        self._cache: dict[tuple[str, str], Style] = {}
        self._colors = {tone: self._color(tone) for tone in TONES}
        self._backs = {
            "": None if self.ansi else self._named("background"),
            "cursor": self._named("flow-cursor") or self._fallback("block-cursor-background"),
            "blurred": self._named("flow-cursor-blurred") or self._fallback("surface"),
            "bar": self._named("flow-bar") or self._fallback("panel"),
            "chip": self._named("flow-chip") or self._fallback("panel"),
        }

    def style(self, tone: str, back: str = "") -> Style:
        """The style of a tone, on a named background: cursor, blurred, bar, chip; "" is the screen's."""
        found = self._cache.get((tone, back))
        if found is None:
            found = self._cache[tone, back] = self._build(tone, back)
        return found

    def _build(self, tone: str, back: str) -> Style:
        words = tone.split()
        color = next((self._colors[word] for word in words if word in self._colors), self._colors["text"])
        reverse = "reverse" in words or (back == "cursor" and self.ansi)
        if reverse and self.ansi:
            return Style(reverse=True, bold="bold" in words or None)
        ground = self._backs.get(back)
        if back == "cursor" and color in (self._colors["faint"], self._colors["rule"]):
            color = self._colors["muted"]
        bold = "bold" in words or tone in ("title", "heading", "key") or None
        return Style(
            color=color.rich_color,
            bgcolor=ground.rich_color if ground is not None and not ground.is_transparent else None,
            bold=bold,
            reverse=reverse or None,
            italic="italic" in words or None,
            underline="underline" in words or None,
        )

    def _named(self, variable: str) -> Color | None:
        value = self._variables.get(variable)
        if not value:
            return None
        try:
            return Color.parse(value)
        except ColorParseError:
            return None

    def _fallback(self, variable: str) -> Color | None:
        color = self._named(variable)
        return None if color is None or color.is_transparent or self.ansi else color

    def _color(self, tone: str) -> Color:
        named = self._named(f"flow-{tone}")
        if named is not None:
            return named
        foreground = self._named("foreground") or Color.parse("ansi_default")
        if tone not in _BLENDS:
            return self._named(_SOURCES[tone]) or foreground
        if self.ansi:
            return Color.parse("ansi_bright_black")
        background = self._named("background") or Color.parse("black")
        return foreground.blend(background, _BLENDS[tone])
