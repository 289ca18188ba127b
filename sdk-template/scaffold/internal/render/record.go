package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/jackfield-go/jackfield/sdk-template/scaffold/internal/names"
)

// RecordFile is the name of the file with a repository's record.
const RecordFile = ".jackfield.json"

// Development is the version of a template in a folder.
const Development = "devel"

// Record is the input of a repository's rendering: enough to render it again.
type Record struct {
	Comment  string        `json:"_"`
	Template string        `json:"template"` // module path
	Version  string        `json:"version"`  // of the template, or Development
	Answers  names.Answers `json:"answers"`
	Cookie   string        `json:"cookie"`
}

// Marshal returns the content of the record's file.
func (r Record) Marshal() []byte {
	r.Comment = "The scaffolder made this file and needs it for updates: do not edit."
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil { // impossible: it has only strings
		return nil
	}
	return append(data, '\n')
}

// ReadRecord returns the record of the repository in dir.
func ReadRecord(dir string) (Record, error) {
	file := filepath.Join(dir, RecordFile)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, fmt.Errorf("%w: the scaffolder did not make this repository; run `scaffold rename` in a copy of the template", err)
	}
	if err != nil {
		return Record{}, err
	}
	r, err := ParseRecord(data)
	if err != nil {
		return Record{}, fmt.Errorf("%s: %w: restore it from git", file, err)
	}
	return r, nil
}

// ParseRecord parses and checks a record, because the names become paths and code.
func ParseRecord(data []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return Record{}, err
	}
	if err := names.CheckModule(r.Template); err != nil {
		return Record{}, fmt.Errorf("template: %w", err)
	}
	if !cookiePattern.MatchString(r.Cookie) {
		return Record{}, errors.New("the cookie is not 64 hex digits")
	}
	if r.Version == "" {
		return Record{}, errors.New("the template's version is missing")
	}
	return r, r.Answers.Check()
}

// Moved returns the record with the module path from the repository's go.mod: the owner may
// have moved the module, for example to /v2.
func (r Record) Moved(mod []byte) (Record, error) {
	r.Answers.Module = modfile.ModulePath(mod)
	if err := names.CheckModule(r.Answers.Module); err != nil {
		return Record{}, fmt.Errorf("go.mod: %w", err)
	}
	return r, nil
}
