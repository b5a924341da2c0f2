"""The places one can go. A screen asks the reader, shows the answers, and carries news between its widgets."""
