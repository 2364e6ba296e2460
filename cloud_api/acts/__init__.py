"""What people do, each in one transaction with its line in the audit: notes, answers, locks, plant model."""
