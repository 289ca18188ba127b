package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

var update = flag.Bool("update", false, "write testdata/golden")

// generated runs the program for some files of testdata/protos.
func generated(t *testing.T, parameter string, files ...string) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "protos.binpb"))
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(data, &set); err != nil {
		t.Fatal(err)
	}
	in, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: files, Parameter: proto.String(parameter), ProtoFile: set.GetFile(),
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(nil, bytes.NewReader(in), &out); err != nil {
		return &pluginpb.CodeGeneratorResponse{Error: proto.String(err.Error())}
	}
	var resp pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out.Bytes(), &resp); err != nil {
		t.Fatal(err)
	}
	return &resp
}

func TestGeneratedCode(t *testing.T) {
	for _, test := range []struct {
		name, parameter string
		files           []string
		want            []string // paths of generated files
	}{
		{
			"options", "paths=source_relative",
			[]string{"notes/v2beta1/host.proto", "notes/v2beta1/notes.proto"},
			[]string{"notes/v2beta1/host_jackfield.pb.go", "notes/v2beta1/notes_jackfield.pb.go"},
		},
		{
			"suffix", "module=example.com,package_suffix=jackfield,default_api_level=API_OPAQUE",
			[]string{"notes/v2beta1/notes.proto"},
			[]string{"notes/v2beta1/notesv2jackfield/notes_jackfield.pb.go"},
		},
		{"clean", "", []string{"clean/clean.proto"}, []string{"example.com/clean/clean_jackfield.pb.go"}},
		{
			"roles", "plugin=clean.CleanHTTPService=cleaner,lent=clean.AskRequest.helper=HelperService,lent=clean.AskRequest._id=reader,errors=clean.CleanError,plugin=other.v1.OtherService",
			[]string{"clean/clean.proto"},
			[]string{"example.com/clean/clean_jackfield.pb.go"},
		},
		{"nothing", "", []string{"google/protobuf/descriptor.proto"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp := generated(t, test.parameter, test.files...)
			if resp.GetError() != "" {
				t.Fatal(resp.GetError())
			}
			var names []string
			var text strings.Builder
			for _, file := range resp.GetFile() {
				names = append(names, file.GetName())
				text.WriteString(file.GetContent())
			}
			if strings.Join(names, " ") != strings.Join(test.want, " ") {
				t.Errorf("got files %q, want %q", names, test.want)
			}
			golden := filepath.Join("testdata", "golden", test.name+".go.txt")
			if len(test.want) == 0 {
				return
			}
			if *update {
				if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if sortImports(text.String()) != sortImports(string(want)) {
				t.Errorf("the code differs from %s: run go test -update, and read what changes", golden)
			}
		})
	}
}

// sortImports sorts the lines of imports. Their order depends on the project's module path,
// and the path may be moved.
func sortImports(code string) string {
	lines := strings.Split(code, "\n")
	for i, line := range lines {
		if line == "import (" {
			slices.Sort(lines[i+1 : i+1+slices.Index(lines[i+1:], ")")])
		}
	}
	return strings.Join(lines, "\n")
}

func TestMistakesAreReportedWithTheirPlace(t *testing.T) {
	for _, test := range []struct {
		file, parameter string
		want            []string // one for each line of the error
	}{
		{"lent_unknown", "", []string{`bad/lent_unknown.proto:14:3: the field helper_id lends HelperService, but neither this file nor its imports have a service of that name`}},
		{"lent_kind", "", []string{
			`bad/lent_kind.proto:14:3: the field helper_id lends something, so it must be one uint32`,
			`bad/lent_kind.proto:15:3: the field helpers lends something, so it must be one uint32`,
			`bad/lent_kind.proto:17:5: the field helper lends something, so it must be one uint32`,
		}},
		{"lent_nothing", "", []string{
			`bad/lent_nothing.proto:14:3: the option lent of the field a says nothing`,
			`bad/lent_nothing.proto:15:3: the option lent of the field b says nothing`,
		}},
		{"lent_response", "", []string{`bad/lent_response.proto:16:3: the field a lends something, but Response is the request of no method`}},
		{"lent_stream", "", []string{`bad/lent_stream.proto:14:3: the field a lends something, but bad.lent_stream.BadService.Ask is a stream of requests`}},
		{"lent_twice", "", []string{`bad/lent_twice.proto:15:3: the field a_id gives the parameter a, as another field of Request`}},
		{"error_zero", "", []string{`bad/error_zero.proto:10:3: BAD_ERROR_FIRST has the number 0`}},
		{"error_twice", "", []string{`bad/error_twice.proto:16:3: the Go name ErrLost for bad.error_twice.WORSE_ERROR_LOST is that of bad.error_twice.BAD_ERROR_LOST too`}},
		{"plugin_twice", "", []string{`bad/plugin_twice.proto:13:1: the services bad.plugin_twice.BadService and bad.plugin_twice.WorseService are both the plugin "bad" in version 1`}},
		{"plugin_twice", "plugin=bad.plugin_twice.BadService=good", []string{`bad/plugin_twice.proto:9:1: the service BadService is the plugin "bad" by its option, and "good" by parameter`, `bad/plugin_twice.proto:13:1: the services `}},
		{"lent_response", "lent=bad.lent_response.Response.a=writer", []string{`bad/lent_response.proto:16:3: the field a lends reader by its option, and writer by parameter`}},
		{"names", "", []string{
			`bad/names.proto:9:1: the Go name FakeBadService for bad.names.BadService is that of bad.names.FakeBadService too`,
			`bad/names.proto:11:3: the method AskFunc has the name of a field of FakeBadService`,
		}},
		{"names", "plugin=bad.names.Service", []string{`the parameter plugin=bad.names.Service names no service`}},
		{"names", "lent=bad.names.FakeBadService.a=reader", []string{`the parameter lent=bad.names.FakeBadService.a names no field of a message`}},
		{"names", "errors=bad.names.BadError", []string{`the parameter errors=bad.names.BadError names no enum`}},
		{"names", "hosts=bad.names.BadService", []string{`unknown parameter "hosts"`}},
		{"names", "host=bad.names.Service=bad", []string{`the parameter host=bad.names.Service names no service`}},
		{"names", "host=bad.names.BadService", []string{`host=bad.names.BadService: add the plugin's name`}},
		{"host", "", []string{
			`bad/host.proto:9:1: the hosts of the plugin "bad" offer other.v1.OtherService, but neither this file nor its imports`,
			`bad/host.proto:16:1: the option host of EmptyService says nothing`,
			`bad/host.proto:22:1: the service BothService is a plugin's, so hosts cannot offer it`,
		}},
		{"host", "host=bad.host.StoreService=other,plugin=bad.host.StoreService", []string{
			`bad/host.proto:9:1: `, `bad/host.proto:16:1: `, `bad/host.proto:22:1: `,
			`bad/host.proto:28:1: hosts offer the service StoreService to the plugin "bad" by its option, and to "other" by parameter`,
		}},
		{"names", "plugin=", []string{`plugin=: "" is not the full name of a declaration`}},
		{"names", "plugin=a.B=", []string{`plugin=a.B=: the name of the plugin is empty`}},
		{"names", "plugin=a.B=c,plugin=a.B=d", []string{`the parameter plugin is there twice for a.B, with c and d`}},
		{"names", "lent=a.B.c", []string{`lent=a.B.c: add what the field lends`}},
		{"names", "errors=a.B=c", []string{`errors=a.B=c: this parameter takes the full name of an enum only`}},
		{"names", "package_suffix=a/b", []string{`package_suffix=a/b: the suffix is not part of a Go package's name`}},
	} {
		t.Run(test.file+"/"+test.parameter, func(t *testing.T) {
			resp := generated(t, test.parameter, "bad/"+test.file+".proto")
			lines := strings.Split(resp.GetError(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(test.want), resp.GetError())
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("got  %s\nwant %s", lines[i], want)
				}
			}
			if len(resp.GetFile()) > 0 {
				t.Error("there are files too")
			}
		})
	}
}

func TestProgramSaysItsVersion(t *testing.T) {
	var out bytes.Buffer
	if err := run([]string{"--version"}, nil, &out); err != nil || !strings.HasPrefix(out.String(), "protoc-gen-go-jackfield ") {
		t.Errorf("got %q, %v", out.String(), err)
	}
	if err := run([]string{"notes.proto"}, nil, &out); err == nil {
		t.Error("an argument is taken")
	}
	if err := run(nil, strings.NewReader("not a request"), &out); err == nil {
		t.Error("any input is taken")
	}
}

func TestNamesAreDerived(t *testing.T) {
	for service, want := range map[string]string{
		"NoteStoreService": "note-store", "HTTPService": "http", "CleanHTTPService": "clean-http", "Service": "service", "KV": "kv", "Feed2Service": "feed2",
	} {
		if got := pluginName(service); got != want {
			t.Errorf("%s: got %s, want %s", service, got, want)
		}
	}
	for pkg, want := range map[string]uint32{"notes": 1, "notes.v2": 2, "notes.v12beta3": 12, "v3": 3, "notes.v0": 1, "notes.version2": 1, "notes.v2.sub": 1} {
		if got := packageVersion(protoreflect.FullName(pkg)); got != want {
			t.Errorf("%s: got %d, want %d", pkg, got, want)
		}
	}
}
