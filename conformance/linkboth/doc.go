// Package linkboth tests programs that link hashicorp/go-plugin beside Jackfield, often
// through another dependency. Both libraries use the names of proto package plugin, and the
// Go runtime of protobuf panics at init if two packages register one name. The test binary
// is such a program, so its start is the first test.
package linkboth
