//go:build !linux

package socket

// maxPath is the size of sun_path without its NUL on the BSDs and macOS, the
// smallest of the platforms'.
const maxPath = 103
