module github.com/jackfield-go/jackfield/discovery

go 1.25.0

require github.com/Masterminds/semver/v3 v3.5.0

require (
	aead.dev/minisign v0.3.0
	golang.org/x/sys v0.47.0
)

require golang.org/x/crypto v0.13.0 // indirect
