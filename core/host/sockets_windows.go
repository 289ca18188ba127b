package host

// usesUnixSockets is false where plugins listen on TCP (protocol §1).
const usesUnixSockets = false
