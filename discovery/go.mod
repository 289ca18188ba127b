module github.com/jackfield-go/jackfield/discovery

go 1.25.0

require (
	// v0.2.0: signatures with CRLF at the ends of lines.
	aead.dev/minisign v0.2.0
	// v0.8.0: it requires neither golang.org/x/crypto nor golang.org/x/xerrors.
	golang.org/x/mod v0.8.0
	// v0.1.0: the first version with a tag.
	golang.org/x/sys v0.1.0
)

require golang.org/x/crypto v0.0.0-20210220033148-5ea612d1eb83 // indirect
