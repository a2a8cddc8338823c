"""Wire protocol: published messages and the control port, for the publishing and the subscribing side."""
