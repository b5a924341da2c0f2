"""The words of mail flow as types: events, hops, recipients, answers. Imports nothing of flowmon but itself."""
