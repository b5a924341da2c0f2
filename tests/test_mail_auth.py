"""SPF, DKIM, DMARC and ARC in the words of filters."""

from __future__ import annotations

import pytest

from flowmon.model.mail_auth import results


@pytest.mark.parametrize(("details", "found"), [
    (["VIOLATED_DIRECT_SPF 3.5, DMARC_POLICY_REJECT 2, R_MIXED_CHARSET 1.25"], {"SPF": "fail", "DMARC": "fail"}),
    (["DMARC_POLICY_ALLOW -0.5, R_DKIM_ALLOW -0.2, R_SPF_ALLOW -0.2"],
     {"SPF": "pass", "DKIM": "pass", "DMARC": "pass"}),
    (["dkim=pass header.d=x.example; spf=SoftFail"], {"SPF": "softfail", "DKIM": "pass"}),
    (["DKIM_INVALID 0.1,SPF_NONE 0", "arc=pass"], {"SPF": "none", "DKIM": "fail", "ARC": "pass"}),
    (["R_SPF_ALLOWED_NOT 1, xdkim=passage"], {}),
    ([], {}),
])
def test_results(details: list[str], found: dict[str, str]) -> None:
    assert results(details) == found
    assert list(results(details)) == sorted(found, key=["SPF", "DKIM", "DMARC", "ARC"].index)
