//! Instructions, one by one, with what the manual says of them.
