// Package linkboth tests programs that link hashicorp/go-plugin beside Jackfield, as many do through
// some other dependency. Both speak with the names of proto package plugin, and the Go runtime of
// protobuf panics at init when two packages register one name. The test binary is such a program, so
// that it starts at all is the first test.
package linkboth
