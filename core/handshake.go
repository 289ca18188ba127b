package core

import (
	"errors"
	"strings"
)

// Handshake is how a plugin knows that the program which started it is a host
// of its application (protocol §1). It is no secret and no security measure: it
// lets a plugin that somebody started by hand say so instead of waiting for a
// host. Both fields are required.
type Handshake struct {
	// MagicCookieKey is the name of the environment variable, in capitals by
	// custom. It should be one that no other application uses.
	MagicCookieKey string
	// MagicCookieValue is what the variable must hold.
	MagicCookieValue string
}

// Validate reports what makes the handshake unusable, or nil.
func (h Handshake) Validate() error {
	switch {
	case h.MagicCookieKey == "" || h.MagicCookieValue == "":
		return errors.New("the handshake needs a MagicCookieKey and a MagicCookieValue")
	case strings.ContainsAny(h.MagicCookieKey, "=\x00"):
		return errors.New("the handshake's MagicCookieKey cannot be the name of an environment variable")
	case strings.ContainsRune(h.MagicCookieValue, 0):
		return errors.New("the handshake's MagicCookieValue has a NUL byte in it")
	}
	return nil
}
