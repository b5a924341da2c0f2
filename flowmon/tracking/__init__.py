"""From events to messages: the tracker folds hops, linking joins them, diagnosis and summary say what it means."""
