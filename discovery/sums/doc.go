// Package sums holds SHA-256 checksums of files: of one file, and of the lists
// that releases carry under the name SHA256SUMS.
//
//	list, err := sums.Read("dist/SHA256SUMS") // the good lines, also with an error
//	err = list.Check("dist/greet-plugin-loud_v1.4.0_linux_amd64")
//
// A list is what sha256sum prints and checks: a sum in hexadecimal digits, a
// space, another one or an asterisk, and a name. The form that BSD's tools and
// "sha256sum --tag" print is read too.
package sums
