"""Tag lists as PLC tools export them, one maker a file: rows in, tags or the reasons for none out."""
