package names

import (
	"slices"
	"strings"
	"testing"
)

func TestRenamerRenamesEachForm(t *testing.T) {
	from := Template("example.com/template")
	text := "notely Notely NOTELY NoteStore noteStore note_store note-store notestore NOTE_STORE |note store|Note store"
	for _, test := range []struct {
		app, service, want string
	}{
		//nolint:dupword // one word has few forms
		{"acme", "Notifier", "acme Acme ACME Notifier notifier notifier notifier notifier NOTIFIER |notifier|Notifier"},
		{"qx", "KeyValue", "qx Qx QX KeyValue keyValue key_value key-value keyvalue KEY_VALUE |key value|Key value"},
		{"zeta", "HTTPStore", "zeta Zeta ZETA HTTPStore httpStore http_store http-store httpstore HTTP_STORE |HTTP store|HTTP store"},
		//nolint:dupword // S3
		{"s3", "S3BlobStore2", "s3 S3 S3 S3BlobStore2 s3BlobStore2 s3_blob_store2 s3-blob-store2 s3blobstore2 S3_BLOB_STORE2 |S3 blob store2|S3 blob store2"},
		{"notely", "NoteStore", text},
	} {
		to := Answers{Module: "example.com/mine", App: test.app, Service: test.service}
		if got := Renamer(from, to, nil, nil).Replace(text); got != test.want {
			t.Errorf("%s, %s:\n got %s\nwant %s", test.app, test.service, got, test.want)
		}
	}
}

func TestRenamerRenamesWholeModulePathsExceptTheScaffolders(t *testing.T) {
	from := Template("example.com/notely")
	to := Answers{Module: "example.com/notely-two/sdk", App: "acme", Service: "Notifier"}
	got := Renamer(from, to, []string{"example.com/origin"}, []string{"example.com/origin/scaffold"}).
		Replace("example.com/notely/proto/notely example.com/origin example.com/origin/scaffold@latest")
	if want := "example.com/notely-two/sdk/proto/acme example.com/notely-two/sdk example.com/origin/scaffold@latest"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestLeftoversAreFoundUnlessTheNewNamesHoldThem(t *testing.T) {
	from := Template("example.com/template")
	to := Answers{Module: "example.com/notelyplugins", App: "acme", Service: "NoteStoreTwo"}
	if found := Leftovers("example.com/notelyplugins NoteStoreTwo note_store_two", from, to); len(found) > 0 {
		t.Errorf("found %q", found)
	}
	if found := Leftovers("NOTELY_PATH, note-store", from, to); !slices.Equal(found, []string{"NOTELY", "note-store"}) {
		t.Errorf("found %q", found)
	}
}

func TestNamesAreRefusedWithTheReason(t *testing.T) {
	good := Answers{Module: "example.com/acme/sdk", App: "acme", Service: "Notifier"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 41)
	for _, test := range []struct {
		change func(*Answers)
		want   string
	}{
		{func(a *Answers) { a.Module = "" }, "malformed module path"},
		{func(a *Answers) { a.Module = "sdk" }, "missing dot"},
		{func(a *Answers) { a.Module = "example.com/a b" }, "invalid char"},
		{func(a *Answers) { a.Module = "../sdk" }, "malformed module path"},
		{func(a *Answers) { a.App = "" }, "lower-case letters and digits"},
		{func(a *Answers) { a.App = "a" }, "2 to 40"},
		{func(a *Answers) { a.App = long }, "2 to 40"},
		{func(a *Answers) { a.App = "acme_cloud" }, "lower-case letters and digits"},
		{func(a *Answers) { a.App = "äpp" }, "lower-case letters and digits"},
		{func(a *Answers) { a.App = "9lives" }, "a letter first"},
		{func(a *Answers) { a.App = "package" }, "a keyword of Go"},
		{func(a *Answers) { a.App = "string" }, "predeclared in Go"},
		{func(a *Answers) { a.App = "lambda" }, "a keyword of Python"},
		{func(a *Answers) { a.App = "internal" }, "cannot have this name"},
		{func(a *Answers) { a.App = "con" }, "on Windows a file cannot have the name con"},
		{func(a *Answers) { a.App = "com1" }, "on Windows a file cannot have the name com1"},
		{func(a *Answers) { a.Service = "Aux" }, "on Windows a file cannot have the name Aux"},
		{func(a *Answers) { a.Service = "" }, "a capital letter first"},
		{func(a *Answers) { a.Service = "Note-Store" }, "letters and digits"},
		{func(a *Answers) { a.Service = "Über" }, "letters and digits"},
		{func(a *Answers) { a.Service = "X" + long }, "2 to 40"},
		{func(a *Answers) { a.Service = "Range" }, "range is a keyword of Go"},
		{func(a *Answers) { a.Service = "Error" }, "error is predeclared in Go"},
		{func(a *Answers) { a.Service = "None" }, "None is a keyword of Python"},
		{func(a *Answers) { a.Service = "Acme" }, "have the same name in code"},
	} {
		bad := good
		test.change(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", bad, err, test.want)
		}
	}
	for _, plugin := range []string{"slack", "disk-cache", "s3"} {
		if err := CheckPlugin(plugin); err != nil {
			t.Error(err)
		}
	}
	for _, plugin := range []string{"", "Slack", "a--b", "-a", "a-", "a_b", "a/b", "..", long} {
		if CheckPlugin(plugin) == nil {
			t.Errorf("plugin %q is taken", plugin)
		}
	}
}
