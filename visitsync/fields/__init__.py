"""What a cell says: text, dates, times, numbers, marks; and the form of a layout. Pure."""
