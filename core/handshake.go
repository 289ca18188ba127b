package core

import (
	"errors"
	"strings"
)

// Handshake identifies an application: a plugin checks it to recognize its host
// (protocol §1). It is no secret and no security measure: with it, a plugin
// started by hand says so instead of waiting for a host. Both fields are
// required.
type Handshake struct {
	// MagicCookieKey is the name of the environment variable, in capitals by
	// custom. No other application should use it.
	MagicCookieKey string
	// MagicCookieValue is the required value of the variable.
	MagicCookieValue string
}

// Validate returns an error if the handshake is unusable.
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
