"""What happened (tenant schema): the event log, delivery history, attempts; publishing, ingest, replay."""
