"""Where folded messages live, and the one filter language that asks for them."""
