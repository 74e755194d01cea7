"""Names that say how an SVG is drawn (SVG 1.1 and 2, SMIL, Filter Effects, CSS Masking), and which
of the names that it gives to its own parts are used.
"""

from __future__ import annotations

import re

_DRAWING = frozenset(
    b"accumulate additive alignment-baseline alphabetic amplitude arabic-form ascent attributeName "
    b"attributeType azimuth baseFrequency baseline-shift baseProfile bbox begin bias blend-mode by "
    b"calcMode cap-height class clip clipPathUnits color contentScriptType contentStyleType "
    b"crossorigin cursor cx cy d decoding descent diffuseConstant direction display divisor "
    b"dominant-baseline download dur dx dy edgeMode elevation enable-background end exponent "
    b"externalResourcesRequired fill filter filterRes filterUnits focusable font format fr from fx "
    b"fy g1 g2 glyphRef gradientTransform gradientUnits hanging height horiz-adv-x horiz-origin-x "
    b"horiz-origin-y href id ideographic in in2 intercept isolation k k1 k2 k3 k4 kernelMatrix "
    b"kernelUnitLength kerning keyPoints keySplines keyTimes lang lengthAdjust "
    b"limitingConeAngle local mask marker markerHeight markerUnits markerWidth maskContentUnits "
    b"maskUnits mathematical max media method min mix-blend-mode mode numOctaves offset opacity "
    b"operator order orient orientation origin overflow overline-position overline-thickness "
    b"paint-order panose-1 path pathLength patternContentUnits patternTransform patternUnits ping "
    b"playbackorder pointer-events points pointsAtX pointsAtY pointsAtZ preserveAlpha "
    b"preserveAspectRatio primitiveUnits r radius referrerpolicy refX refY rel "
    b"rendering-intent repeatCount repeatDur requiredExtensions requiredFeatures "
    b"requiredFonts requiredFormats restart result rotate rx ry scale seed side slope spacing "
    b"specularConstant specularExponent spreadMethod src startOffset stdDeviation stemh stemv "
    b"stitchTiles stop stroke style surfaceScale string syncBehavior syncMaster syncTolerance "
    b"systemLanguage tabindex tableValues target targetX targetY timelinebegin to transform "
    b"transform-box transform-origin type u1 u2 underline-position underline-thickness unicode "
    b"unicode-bidi unicode-range units-per-em v-alphabetic v-hanging v-ideographic v-mathematical "
    b"values vector-effect space version vert-adv-y vert-origin-x vert-origin-y viewBox viewTarget "
    b"visibility white-space widths width will-change x x-height x1 x2 xChannelSelector y y1 y2 "
    b"yChannelSelector z zoomAndPan xmlns geometricPrecision bx".split()
)
# Properties of CSS that are written as attributes, and what is done when something happens.
_FAMILIES = (
    *(b"accent-", b"alignment-", b"animation-", b"baseline-", b"clip-", b"color-", b"colour-"),
    *(b"dominant-", b"fill-", b"flood-", b"font-", b"glyph-", b"image-", b"inline-", b"letter-"),
    *(b"lighting-", b"line-", b"marker-", b"mask-", b"object-", b"on", b"shape-", b"solid-"),
    *(b"stop-", b"strikethrough-", b"stroke-", b"text-", b"transition-", b"word-", b"writing-"),
)
# What HTML says besides what it shows.
_SAID_BY_HTML = re.compile(
    rb"(?:title|alt|summary|about|property|typeof|resource|vocab|item\w+|data-.*|aria-.*)$",
    re.DOTALL,
)
# Scripts may look at any attribute, and so do selectors of style sheets.
_ANYTHING = re.compile(
    rb"<script|\battr\(|javascript:|\son\w+\s*=|\[\s*[A-Za-z_][\w|:-]*\s*(?:[~|^$*]?=|\])"
)
_SAID_BY_LINKS = re.compile(rb"xlink:(?:title|role|arcrole)$")
_REFERENCE = re.compile(rb"#([^\s\"'()<>;,{}]+)")
_ESCAPED = re.compile(rb"#[^\s\"'()<>;,{}#%&\\]*[%&\\]")
_TIMED = re.compile(rb"\s(?:begin|end)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_WORD = re.compile(rb"[\w\x80-\xff-]+")
_CLASS = re.compile(rb"\.(-?[A-Za-z_\x80-\xff][\w\x80-\xff-]*)")
# What other documents show by its name.
_SHOWN_ELSEWHERE = frozenset({b"symbol", b"view"})


class Names:
    """Which attributes of a drawing are needed."""

    def __init__(self, data: bytes) -> None:
        self._any = _ANYTHING.search(data) is not None
        self._any_id = self._any or b"foreignObject" in data or _ESCAPED.search(data) is not None
        self._ids: set[bytes] = set()
        for text in _REFERENCE.findall(data):
            self._ids.add(text)
            self._ids |= set(_WORD.findall(text)[:1])
        for double, single in _TIMED.findall(data):
            self._ids |= set(_WORD.findall(double + single))
            self._ids |= {text.partition(b".")[0].strip() for text in (double + single).split(b";")}
        styled = b"<style" in data or b"stylesheet" in data
        self._any_class = self._any or (styled and (b"\\" in data or b"import" in data))
        self._any_class |= b"xml-stylesheet" in data
        self._classes = set(_CLASS.findall(data)) if styled else set()

    def is_needed(self, element: bytes, name: bytes, value: bytes, *, in_svg: bool) -> bool:
        """Does an attribute say how to draw an element, or scripts and styles what to do to it?"""
        if self._any:
            return True
        if _SAID_BY_LINKS.match(name):
            return False
        if name in {b"id", b"xml:id"}:
            if self._any_id or element in _SHOWN_ELSEWHERE or b"&" in value:
                return True
            return value.strip() in self._ids
        if name == b"class":
            return self._any_class or not self._classes.isdisjoint(value.split())
        if not in_svg:
            return _SAID_BY_HTML.match(name) is None
        return b":" in name or name in _DRAWING or name.startswith(_FAMILIES)
