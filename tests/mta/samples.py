"""Lists of queues as real servers of the lab printed them."""

POSTFIX = """\
{"queue_name": "deferred", "queue_id": "E7C2E216371", "arrival_time": 1795642450, "message_size": 1433, "forced_expire": false, "sender": "erin@lab.test", "recipients": [{"address": "lee39@close.direct.example", "delay_reason": "lost connection with mx-close.sinknet.example[198.51.100.22] while sending end of data -- message may be sent more than once"}]}
{"queue_name": "active", "queue_id": "5A7A121631A", "arrival_time": 1795642442, "message_size": 1429, "forced_expire": false, "sender": "carol@lab.test", "recipients": [{"address": "info95@servfail.direct.example"}]}
{"queue_name": "hold", "queue_id": "D65B52162D1", "arrival_time": 1795642503, "message_size": 1415, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "erin@lab.test"}]}

"""  # noqa: E501 - lines as they were printed
POSTFIX_TRIES = "E7C2E216371 1795642498.0000000000\nfind: gone\n"

EXIM = """\
 0m  1.6K 1xWKcr-00000n-2X <frank@lab.test>
          info3@hang.example

25m  1010 1xWKcv-00003A-2A <>
        D jane68@accept.example
          kim58@busy.example
        D info6@unknown.example

 2d  6.5K 1xWKd1-00004P-1T <carol@lab.test> *** frozen ***
          kim24@busy.example

"""
EXIM_RETRY = """\
  R:kim58@busy.example:<> -44 12877 H=mx-busy.sinknet.example [198.51.100.12]: SMTP error from remote mail server after RCPT TO:<kim58@busy.example>: 450 4.2.1 The mailbox is busy, try a
25-Nov-2026 21:34:05  25-Nov-2026 21:34:31  25-Nov-2026 21:34:43 
  T:mx-hang.sinknet.example:198.51.100.21 110 77 Connection timed out
25-Nov-2026 21:34:09  25-Nov-2026 21:34:31  25-Nov-2026 21:34:46 
"""  # noqa: E501 - lines as they were printed
EXIM_WAIT = "mx-hang.sinknet.example 1xWKcr-00000n-2X \nmx-noroute.sinknet.example 1xWKd1-000043-04 \n\n"

SENDMAIL = """\
MSP Queue status...
/var/spool/mqueue-client is empty
\t\tTotal requests: 0
MTA Queue status...
\t\t/var/spool/mqueue (2 requests)
-----Q-ID----- --Size-- -Priority- ---Q-Time--- --------Sender/Recipient--------
6APLZICR000133     5919     126362 Nov 25 21:35 <alice@lab.test>
                 (Deferred: 451 4.7.1 Greylisting in action, please come back later)
\t\t\t\t\t\t<info49@grey.sm.example>
\t\t (Deferred: 451 4.7.1 Greylisting in action, please come back later)
\t\t\t\t\t\t<info50@grey.sm.example>
6APLglk4000242*     913     126362 Dec 31 21:42 <>
\t\t\t\t\t\t<kim36@busy.sm.example>
\t\tTotal requests: 2
"""

OPENSMTPD = """\
23dc2fe0886caf92|inet4|mta||dave@lab.test|info48@grey.os.example|info48@grey.os.example|1795642682|1795642682|0|1|pending|398|451 4.7.1 Greylisting in action, please come back later
23dc2fe0f43cea4c|inet4|mta||dave@lab.test|kim83@busy.os.example|kim83@busy.os.example|1795642682|1795642682|0|1|pending|390|450 4.2.1 The mailbox is busy, try again later
2d833d408a31491a|inet4|bounce||carol@lab.test|jane64@unknown.os.example|jane64@unknown.os.example|1795642682|1796247482|1795642683|0|inflight|1|550 5.1.1 User unknown

"""  # noqa: E501 - lines as they were printed
