"""The product as a stranger uses it: wrong commands, broken files, hostile posts, full disks, fleets."""
