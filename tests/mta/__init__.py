"""What MTAs list of their own queues."""
