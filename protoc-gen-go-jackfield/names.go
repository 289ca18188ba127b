package main

import (
	"errors"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// take records the Go names from other generators for a file's declarations.
func (m *model) take(f *protogen.File) {
	note := func(name string, of protoreflect.FullName) {
		m.names[f.GoImportPath.Ident(name)] = of
	}
	for _, message := range messages(f.Messages) {
		note(message.GoIdent.GoName, message.Desc.FullName())
		for _, field := range message.Fields {
			if field.Oneof != nil {
				note(field.GoIdent.GoName, field.Desc.FullName())
			}
		}
	}
	for _, enum := range enums(f.Enums, f.Messages) {
		note(enum.GoIdent.GoName, enum.Desc.FullName())
		for _, value := range enum.Values {
			note(value.GoIdent.GoName, value.Desc.FullName())
		}
	}
	for _, s := range f.Services {
		for _, name := range []string{
			s.GoName + "Client", s.GoName + "Server", "New" + s.GoName + "Client", "Register" + s.GoName + "Server",
			"Unimplemented" + s.GoName + "Server", "Unsafe" + s.GoName + "Server", s.GoName + "_ServiceDesc",
		} {
			note(name, s.Desc.FullName()+" (of gRPC)")
		}
	}
}

// checkNames reports generated names already in use in the Go package.
func (m *model) checkNames(f *file) error {
	var failed error
	check := func(desc protoreflect.Descriptor, name string) {
		ident := m.importPath(f.File).Ident(name)
		if earlier := m.names[ident]; earlier != "" {
			failed = errors.Join(failed, at(desc, "the Go name %s for %s is that of %s too: rename one of them, or set package_suffix",
				name, desc.FullName(), earlier))
		}
		m.names[ident] = desc.FullName()
	}
	for _, s := range f.services {
		names := []string{s.GoName, "New" + s.GoName, "Register" + s.GoName, "Fake" + s.GoName}
		if s.plugin {
			names = append(names, s.GoName+"Plugin", s.GoName+"Versions", s.GoName+"VersionsOf", "Serve"+s.GoName, "Open"+s.GoName)
		}
		if len(s.host) > 0 {
			names = append(names, s.GoName+"Host", s.GoName+"HostServices")
		}
		for _, name := range names {
			check(s.Desc, name)
		}
		failed = errors.Join(failed, checkMethods(s))
	}
	for _, s := range f.sentinels {
		check(s.Desc, s.goName)
	}
	return failed
}

// checkMethods reports each method whose name is a field of the generated fake.
func checkMethods(s *service) error {
	fields := make(map[string]bool)
	for _, method := range s.methods {
		fields[method.GoName+"Func"] = true
	}
	var failed error
	for _, method := range s.methods {
		if fields[method.GoName] {
			failed = errors.Join(failed, at(method.Desc, "the method %s has the name of a field of Fake%s: rename it", method.Desc.Name(), s.GoName))
		}
	}
	return failed
}

// importPath returns the import path of the package for generated code.
func (m *model) importPath(f *protogen.File) protogen.GoImportPath {
	if m.params.suffix == "" {
		return f.GoImportPath
	}
	return protogen.GoImportPath(path.Join(string(f.GoImportPath), m.packageName(f)))
}

// packageName returns the name of the package for generated code.
func (m *model) packageName(f *protogen.File) string {
	return string(f.GoPackageName) + m.params.suffix
}

// fileName returns the path of the file for generated code.
func (m *model) fileName(f *protogen.File) string {
	name := f.GeneratedFilenamePrefix + "_jackfield.pb.go"
	if m.params.suffix == "" {
		return name
	}
	return path.Join(path.Dir(name), m.packageName(f), path.Base(name))
}

// pluginName returns a service's name in lower case and with dashes, without "Service".
func pluginName(service string) string {
	if short := strings.TrimSuffix(service, "Service"); short != "" {
		service = short
	}
	return strings.ToLower(strings.ReplaceAll(upperSnake(service), "_", "-"))
}

// upperSnake turns NoteError into NOTE_ERROR, and HTTPError into HTTP_ERROR.
func upperSnake(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		after := i > 0 && letters[i-1] != '_' && unicode.IsUpper(r)
		if after && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// camel turns NOT_FOUND into NotFound.
func camel(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(strings.ToLower(name), "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// versionSuffix matches the last part of a proto package, such as v2 or v1beta1.
var versionSuffix = regexp.MustCompile(`^v([1-9][0-9]{0,8})(?:(?:alpha|beta|p[0-9]|test).*)?$`)

// packageVersion returns the number in the last part of a proto package, or 1.
func packageVersion(pkg protoreflect.FullName) uint32 {
	match := versionSuffix.FindStringSubmatch(string(pkg.Name()))
	if match == nil {
		return 1
	}
	number, err := strconv.ParseUint(match[1], 10, 32)
	if err != nil {
		return 1
	}
	return uint32(number)
}

// parameterName returns the name of a field's parameter: approver for approver_id. A
// reserved name gets the suffix Lent.
func parameterName(field *protogen.Field) string {
	name := firstOf(camel(strings.TrimSuffix(string(field.Desc.Name()), "_id")), field.GoName)
	name = strings.ToLower(name[:1]) + name[1:]
	if reserved[name] {
		name += "Lent"
	}
	return name
}

// reserved has Go's keywords and the names in use in generated methods.
var reserved = func() map[string]bool {
	names := make(map[string]bool)
	for name := range strings.FieldsSeq(`break case chan const continue default defer else fallthrough for func go goto if
		import interface map package range return select struct switch type var nil error string uint32
		ctx req reqs resp err id cancel stream c f h context glue grpc io iter core host plugin transportgrpc codes proto`) {
		names[name] = true
	}
	return names
}()

// firstOf returns the first non-empty text, or "".
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
