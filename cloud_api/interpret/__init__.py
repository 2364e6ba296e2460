"""From signals to money, purely: values in, values out; no clock, file, log or database.

`plant` and `model` hold the values. `standards.Book` compiles a plant snapshot; `interpretation.interpret`
turns a machine's evidence into segments, hourly facts and exact entries; `ledger.price` prices facts or one
segment, `ledger.charge_entries` what people booked; `allowance` flexes the budget, `variance` cuts cells
and closes lines, `confidence` grades; `money` rounds once, at the edge."""
