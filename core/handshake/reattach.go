package handshake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// MaxReattach is the size limit of reattach data in JSON, in bytes, for reading and writing.
const MaxReattach = 1 << 20

// maxRunText limits the texts that identify a run, in bytes.
const maxRunText = 1 << 10

// Reattach identifies a running plugin, for a host that attaches to it (protocol §9). It has the
// plugin's handshake line and its process.
//
// Its JSON is the form of Terraform's TF_REATTACH_PROVIDERS, with members of our own beside it,
// and without the Secret. [ParseReattach] and [FormatReattach] read and write it for several
// plugins.
type Reattach struct {
	// Line is the plugin's handshake line. The data of go-plugin's hosts has version 0 for an
	// unknown version, and neither a certificate nor further fields.
	Line Line
	// ID is the runner's ID of the run: for a process, its PID. Empty: unknown.
	ID string
	// Started is the start of the run, in the runner's own form. A later run with the same ID has
	// another. Empty: unknown.
	Started string
	// Test marks a plugin in test mode: it ends by itself, and no host asks it to leave or kills
	// it.
	Test bool
	// Secret is the certificate of the first host with its key, PEM, for a plugin under AutoMTLS.
	// Its holder can call the plugin as that host can. Empty: none. [FormatReattachSecrets] alone
	// writes it.
	Secret Secret
}

// Secret is a text that is not shown: package fmt, package log/slog and JSON write "(secret)" in
// its place.
type Secret string

// String returns "(secret)", and nothing for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString is String, for the verb %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText is String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// reattachJSON is the JSON form. The first five members are Terraform's.
type reattachJSON struct {
	Protocol        string
	ProtocolVersion int
	Pid             int
	Test            bool
	Addr            addrJSON

	ID          string   `json:",omitempty"` // of a run without a PID
	Started     string   `json:",omitempty"`
	Fields      []string `json:",omitempty"`
	Certificate []byte   `json:",omitempty"`
	Key         string   `json:",omitempty"` // the secret
}

type addrJSON struct{ Network, String string }

// MarshalJSON writes the data without its Secret.
func (r Reattach) MarshalJSON() ([]byte, error) {
	r.Secret = ""
	return r.marshal()
}

func (r Reattach) marshal() ([]byte, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	form := reattachJSON{
		Protocol:        r.Line.Protocol,
		ProtocolVersion: r.Line.AppVersion,
		Test:            r.Test,
		Addr:            addrJSON{r.Line.Network, r.Line.Address},
		Started:         r.Started,
		Fields:          r.Line.Fields,
		Certificate:     r.Line.ServerCert,
		Key:             string(r.Secret),
	}
	if form.Protocol == "" {
		form.Protocol = DefaultProtocol
	}
	if pid, err := strconv.Atoi(r.ID); err == nil && pid > 0 && strconv.Itoa(pid) == r.ID {
		form.Pid = pid
	} else {
		form.ID = r.ID
	}
	return json.Marshal(form)
}

// UnmarshalJSON reads the data of any library. The error is a [*ReattachError].
func (r *Reattach) UnmarshalJSON(text []byte) error {
	var form reattachJSON
	if err := json.Unmarshal(text, &form); err != nil {
		return reattachError(clip(err.Error()))
	}
	read := Reattach{
		Line: Line{
			CoreVersion: CoreVersion,
			AppVersion:  form.ProtocolVersion,
			Network:     form.Addr.Network,
			Address:     form.Addr.String,
			Protocol:    form.Protocol,
			Fields:      form.Fields,
		},
		ID:      form.ID,
		Started: form.Started,
		Test:    form.Test,
		Secret:  Secret(form.Key),
	}
	if len(form.Certificate) > 0 {
		read.Line.ServerCert = form.Certificate
	}
	if len(form.Fields) == 0 {
		read.Line.Fields = nil
	}
	if read.Line.Protocol == "" {
		read.Line.Protocol = DefaultProtocol
	}
	if form.Pid > 0 {
		read.ID = strconv.Itoa(form.Pid)
	}
	if err := read.validate(); err != nil {
		return err
	}
	*r = read
	return nil
}

// validate holds the data to the rules of a handshake line, and to limits.
func (r Reattach) validate() error {
	if _, err := r.Line.Format(); err != nil {
		return reattachError(err.Error())
	}
	for _, text := range []string{r.ID, r.Started} {
		if len(text) > maxRunText || hasControl(text) {
			return reattachError(fmt.Sprintf("the run %q is not identified by up to %d characters of text", clip(text), maxRunText))
		}
	}
	if len(r.Secret) > MaxLine {
		return reattachError(fmt.Sprintf("the key is longer than %d bytes", MaxLine))
	}
	return nil
}

// ParseReattach reads the reattach data of plugins by their names, in the form of Terraform's
// TF_REATTACH_PROVIDERS. An empty text has none. The error is a [*ReattachError].
func ParseReattach(text string) (map[string]Reattach, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > MaxReattach {
		return nil, reattachError(fmt.Sprintf("%d bytes exceed the limit of %d", len(text), MaxReattach))
	}
	var forms map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &forms); err != nil {
		return nil, reattachError(clip(err.Error()))
	}
	plugins := make(map[string]Reattach, len(forms))
	for name, form := range forms {
		var r Reattach
		if err := r.UnmarshalJSON(form); err != nil {
			return nil, inPlugin(name, err)
		}
		plugins[name] = r
	}
	return plugins, nil
}

// FormatReattach writes the reattach data of plugins by their names, in one line and without
// secrets. The error is a [*ReattachError].
func FormatReattach(plugins map[string]Reattach) (string, error) {
	return formatReattach(plugins, Reattach.MarshalJSON)
}

// FormatReattachSecrets is FormatReattach with secrets: whoever reads the text can call the
// plugins. Pass it through a pipe, not in an environment or a file for others to read.
func FormatReattachSecrets(plugins map[string]Reattach) (string, error) {
	return formatReattach(plugins, Reattach.marshal)
}

func formatReattach(plugins map[string]Reattach, marshal func(Reattach) ([]byte, error)) (string, error) {
	forms := make(map[string]json.RawMessage, len(plugins))
	for name, r := range plugins {
		form, err := marshal(r)
		if err != nil {
			return "", inPlugin(name, err)
		}
		forms[name] = form
	}
	text := new(bytes.Buffer)
	encoder := json.NewEncoder(text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(forms); err != nil {
		return "", reattachError(clip(err.Error()))
	}
	if text.Len() > MaxReattach {
		return "", reattachError(fmt.Sprintf("%d bytes exceed the limit of %d", text.Len(), MaxReattach))
	}
	return string(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}

// ExportReattach is a line for a person to paste into a shell before starting the host: it sets
// the variable to the plugins' data, without secrets. The shell is PowerShell on Windows and a
// POSIX shell elsewhere. The error is a [*ReattachError].
func ExportReattach(variable string, plugins map[string]Reattach) (string, error) {
	text, err := FormatReattach(plugins)
	if err != nil {
		return "", err
	}
	return shellExport(variable, text), nil
}

func reattachError(reason string) *ReattachError {
	return &ReattachError{Reason: reason}
}
