"""What filters found of SPF, DKIM, DMARC and ARC, read from their own words.

Names of symbols: Rspamd (modules spf, dkim, dmarc, arc), SpamAssassin (Mail::SpamAssassin::Plugin::SPF, DKIM);
`method=result`: RFC 8601, section 2.7, which amavis, OpenDMARC and others write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

FAILED = frozenset({"fail", "softfail", "permerror", "temperror"})
"""Results that confirm nothing."""
_RESULTS = "pass|fail|softfail|neutral|none|permerror|temperror|policy"
_METHOD = re.compile(rf"\b(spf|dkim|dmarc|arc)=({_RESULTS})\b", re.IGNORECASE)
_SYMBOLS = {
    "SPF": {
        "R_SPF_ALLOW": "pass", "R_SPF_FAIL": "fail", "R_SPF_SOFTFAIL": "softfail", "R_SPF_NEUTRAL": "neutral",
        "R_SPF_NA": "none", "R_SPF_PERMFAIL": "permerror", "R_SPF_DNSFAIL": "temperror", "VIOLATED_DIRECT_SPF": "fail",
        "SPF_PASS": "pass", "SPF_FAIL": "fail", "SPF_SOFTFAIL": "softfail", "SPF_NEUTRAL": "neutral",
        "SPF_NONE": "none",
    },
    "DKIM": {
        "R_DKIM_ALLOW": "pass", "R_DKIM_REJECT": "fail", "R_DKIM_TEMPFAIL": "temperror", "R_DKIM_PERMFAIL": "permerror",
        "R_DKIM_NA": "none", "DKIM_VALID": "pass", "DKIM_INVALID": "fail",
    },
    "DMARC": {
        "DMARC_POLICY_ALLOW": "pass", "DMARC_POLICY_REJECT": "fail", "DMARC_POLICY_QUARANTINE": "fail",
        "DMARC_POLICY_SOFTFAIL": "fail", "DMARC_NA": "none", "DMARC_BAD_POLICY": "permerror",
        "DMARC_DNSFAIL": "temperror", "DMARC_PASS": "pass", "DMARC_REJECT": "fail", "DMARC_QUAR": "fail",
        "DMARC_NONE": "fail", "DMARC_MISSING": "none",
    },
    "ARC": {
        "ARC_ALLOW": "pass", "ARC_REJECT": "fail", "ARC_INVALID": "fail", "ARC_NA": "none", "ARC_DNSFAIL": "temperror",
    },
}  # fmt: skip
_MEANING = {symbol: (method, result) for method, known in _SYMBOLS.items() for symbol, result in known.items()}
_WORD = re.compile(r"[A-Z][A-Z0-9_]+")


def results(details: Iterable[str]) -> dict[str, str]:
    """Results by method, in the order SPF, DKIM, DMARC, ARC: of several the first that was told."""
    found: dict[str, str] = {}
    for text in details:
        for method, result in _METHOD.findall(text):
            found.setdefault(method.upper(), result.lower())
        for word in _WORD.findall(text):
            if word in _MEANING:
                found.setdefault(*_MEANING[word])
    return {method: found[method] for method in _SYMBOLS if method in found}
