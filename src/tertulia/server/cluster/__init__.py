"""Several nodes as one chat: a log of commands on NATS JetStream, which every node applies."""
