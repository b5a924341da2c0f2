"""Exchange message tracking: the parser file, the reader of records."""
