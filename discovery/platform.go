package discovery

import (
	"runtime"
	"strings"
)

// Platform is what a binary was built for, in Go's words: "linux" and "amd64".
// The zero value says nothing.
type Platform struct {
	OS, Arch string
}

// ThisPlatform returns the one that this program was built for.
func ThisPlatform() Platform { return Platform{OS: runtime.GOOS, Arch: runtime.GOARCH} }

// IsZero reports whether it says nothing.
func (p Platform) IsZero() bool { return p == Platform{} }

// String returns "linux_amd64", or "" for the zero value.
func (p Platform) String() string {
	if p.IsZero() {
		return ""
	}
	return p.OS + "_" + p.Arch
}

// ParsePlatform reads what String returns. It takes any two words of lower case
// letters and digits, since there are platforms that this program does not know.
func ParsePlatform(text string) (Platform, bool) {
	os, arch, found := strings.Cut(text, "_")
	if !found || !platformWord(os) || !platformWord(arch) {
		return Platform{}, false
	}
	return Platform{OS: os, Arch: arch}, true
}

// MarshalText returns String.
func (p Platform) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

func platformWord(s string) bool {
	for i := range len(s) {
		if (s[i] < 'a' || s[i] > 'z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return s != ""
}

// exe tells whether programs have a name that ends with .exe there.
func (p Platform) exe() bool { return p.OS == windows }

// modes tells whether the bits of a file's mode say who may do what with it.
func (p Platform) modes() bool { return p.OS != windows && p.OS != "plan9" }

const windows = "windows"
