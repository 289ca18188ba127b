// Package trust tries to get at plugins as somebody who has no business with
// them: a process of the same user, whom no file mode keeps out, with no TLS, with
// TLS and no certificate, and with a certificate of its own. Every transport, both
// ends of it, brokered connections too.
package trust
