"""The whole chain as real processes, under seeded faults; the PLCs' own logs are the truth."""
