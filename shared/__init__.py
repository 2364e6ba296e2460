"""What the two halves say to each other: values, names and bytes. Pure; imports nothing of ours."""
