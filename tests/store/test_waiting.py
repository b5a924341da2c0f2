"""What a collector watches for the passing of time is let go when it is done with."""

from __future__ import annotations

from pathlib import Path

from flowmon.collecting import Collector
from flowmon.commands import opening
from flowmon.config import Config
from flowmon.sources import discover
from flowmon.store.writer import Writer

MESSAGES = 30


def _came(number: int) -> str:
    head = f"2026-11-24T09:00:{number:02d}+00:00 mx postfix"
    return (
        f"{head}/smtpd[7]: 4B{number:07d}: client=out.far.example[192.0.2.7]\n"
        f"{head}/cleanup[8]: 4B{number:07d}: message-id=<{number}@far.example>\n"
        f"{head}/qmgr[9]: 4B{number:07d}: from=<kim@far.example>, size=900, nrcpt=1 (queue active)\n"
    )


def _left(number: int) -> str:
    head = f"2026-11-24T09:01:{number:02d}+00:00 mx postfix"
    return (
        f"{head}/smtp[10]: 4B{number:07d}: to=<ben@partner.example>, relay=mx.far.example[192.0.2.25]:25, delay=60, "
        "delays=0.1/59/0.5/0.4, dsn=2.0.0, status=sent (250 ok)\n"
        f"{head}/qmgr[9]: 4B{number:07d}: removed\n"
    )


def test_messages_that_are_done_with_are_watched_no_more(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("".join(map(_came, range(MESSAGES))))
    config = Config()
    discovery, writer = discover([str(log)]), Writer(tmp_path / "store.db")
    try:
        collector = Collector(writer, opening.catalogue(config), discovery, config, live=True)
        collector.folding.recognise()
        while collector.step():
            pass
        collector.commit()
        assert len(collector.keeper._waiting) == MESSAGES
        with log.open("a") as out:
            out.write("".join(map(_left, range(MESSAGES))))
        collector.folding.look_again()
        while collector.step():
            pass
        collector.commit()
        assert not collector.keeper._waiting
    finally:
        writer.close()
        discovery.close()
