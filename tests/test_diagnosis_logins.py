"""Diagnosis of refused logins: each is an authentication problem, and what the log says of its cause is its reason."""

from __future__ import annotations

import pytest

from flowmon.tracking.diagnosis import Rule, deciding_rule, diagnose, knowledge


def meaning(text: str | None) -> str:
    found = diagnose(text, command="AUTH")
    return f"{found.problem}/{found.reason}"


@pytest.mark.parametrize("rule", knowledge().login, ids=lambda rule: rule.name)
def test_each_sample_of_a_login_is_taken_by_its_rule(rule: Rule) -> None:
    assert rule.samples
    for sample in rule.samples:
        taken = deciding_rule(sample, command="AUTH")
        assert taken is rule, f"{sample!r} is taken by {taken.name if taken else None}"
        assert meaning(sample) == rule.means


@pytest.mark.parametrize("text", [
    None, "", "Authentication failed", "authentication failure using internet password", "Failed SMTP login",
    "auth failed, 7 attempts in 111 secs", "-ERR Authentication failure: unknown user name or bad password.",
    "AUTH failure (CRAM-MD5): user not found (-20) SASL(-13): user not found: no secret in database",
    "User printer@acme.example doesn't exist", "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
    "550 5.1.1 User unknown", "535 no, see https://spam.example/virus", "550 5.7.1 Spam", "permfail",
])
def test_a_refused_login_is_an_authentication_problem_whatever_it_says(text: str | None) -> None:
    assert meaning(text) == "authentication/smtp-auth"


def test_words_of_a_login_say_so_only_where_a_login_was_answered() -> None:
    assert diagnose("550 5.1.1 User unknown").reason == "user-unknown"
    assert diagnose("550 5.2.1 This account is disabled").problem == "delivery"
    assert diagnose("535 5.2.1 This account is disabled", command="AUTH").problem == "authentication"


def test_the_words_of_sendmail_name_the_command_themselves() -> None:
    for text, reason in (
        ("AUTH failure (CRAM-MD5): user not found (-20) SASL(-13): user not found: no secret in database", "smtp-auth"),
        ("AUTH failure (LOGIN): authentication failure (-13) SASL(-13): checkpass failed", "smtp-auth"),
        ("AUTH failure (PLAIN): encryption needed to use mechanism (-16)", "tls"),
    ):
        assert diagnose(text) == diagnose(text, command="AUTH")
        assert (diagnose(text).problem, diagnose(text).reason) == ("authentication", reason)
