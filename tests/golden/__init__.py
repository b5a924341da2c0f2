"""Golden runs, one folder a trap: `logs/<host>/…` as the programs write them, and `expected.jsonl`.

A row of `expected.jsonl` holds of one message what matters; the run has exactly these messages. `recipients` are
exactly those named, `hops` are in order. Rows of another kind: `{"totals": {…}}`, `{"queues": n}` (rows of the queue
table), `{"written_at": "…"}` (when the files were last written). `reports` counts the reports about a message,
`report_of` names the message that it reports about.
"""
