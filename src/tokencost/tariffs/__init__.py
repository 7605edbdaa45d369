"""What a price is: money, meters, clock, schedules, tariffs, files, names, checks."""
