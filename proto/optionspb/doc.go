// Package optionspb contains the options that a .proto file gives protoc-gen-go-jackfield.
// The code is generated from jackfield/plugin/v1/options.proto; its comments explain each
// option. Go code of a .proto file with these options imports it. A program has it once
// only: the names of extensions are registered, and a second copy panics.
package optionspb
