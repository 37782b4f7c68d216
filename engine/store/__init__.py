"""What is remembered: tables, the one way to write, the ledger, the audit chain."""
