"""What is due (shared schema): arrivals, pending deliveries, and the SQL that moves them. Ids and times only."""
