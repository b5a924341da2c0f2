"""Notices that differ in session and number only."""

from __future__ import annotations

from flowmon.collecting.alike import of_each_kind


def test_the_newest_of_each_kind_is_told() -> None:
    assert of_each_kind([
        "mbx: lmtp(kim@acme.example)<143><wGjVM5tqBWuP>: Error: cannot open mailbox",
        "mbx: lmtp(ann@acme.example)<144><xHkWN6urCXvQ>: Error: cannot open mailbox",
        "mx1: queue file write error: No space left on device",
        "mx2: queue file write error: No space left on device",
        "mbx: lmtp(kim@acme.example)<151><aB3dE6>: Error: cannot open mailbox",
        "mbx2: lmtp(kim@acme.example)<152><aB3dE7>: Error: cannot open mailbox",
        "mbx: lmtp(kim@acme.example)<151><aB3dE6>: Error: conn unix:pid=139,uid=102 [22]: no permission",
        "mbx: lmtp(kim@acme.example)<151><aB3dE6>: Error: conn unix:pid=134,uid=102 [18]: no permission",
    ]) == [
        "mx1: queue file write error: No space left on device",
        "mx2: queue file write error: No space left on device",
        "mbx: lmtp(kim@acme.example)<151><aB3dE6>: Error: cannot open mailbox (3 times)",
        "mbx2: lmtp(kim@acme.example)<152><aB3dE7>: Error: cannot open mailbox",
        "mbx: lmtp(kim@acme.example)<151><aB3dE6>: Error: conn unix:pid=134,uid=102 [18]: no permission (2 times)",
    ]
