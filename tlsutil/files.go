package tlsutil

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFile limits the size of a file with certificates or a key, in bytes.
const maxFile = 4 << 20

// Files names PEM files with your own certificates, for a host and plugins that trust an
// authority instead of an [Identity]. Each call of Client and Server reads the files, so
// the next launch uses renewed ones.
type Files struct {
	// Certificate is this side's certificate, followed by its intermediate certificates;
	// Key is its private key. Set both or neither. A server needs them. A client without
	// them does not authenticate itself.
	Certificate, Key string

	// CA holds the certificates of the authorities for the other side's certificate. If CA
	// is empty, a client trusts the system's authorities, and a server does not ask clients
	// for a certificate. Otherwise a server requires a client certificate.
	CA string

	// ServerName is the required name in a server's certificate. Empty means [ServerName].
	ServerName string
}

// Client returns the configuration for dialing. The error is a [FilesError]; it wraps a
// [ValidityError] if this side's certificate has expired or is not yet valid.
func (f Files) Client() (*tls.Config, error) {
	config, err := f.read()
	if err != nil {
		return nil, err
	}
	config.ServerName = f.ServerName
	if config.ServerName == "" {
		config.ServerName = ServerName
	}
	if f.CA == "" {
		return config, nil
	}
	if config.RootCAs, err = readPool(f.CA); err != nil {
		return nil, err
	}
	return config, nil
}

// Server returns the configuration for serving. It returns the errors of Client.
func (f Files) Server() (*tls.Config, error) {
	config, err := f.read()
	if err != nil {
		return nil, err
	}
	if len(config.Certificates) == 0 {
		return nil, &FilesError{What: "Certificate", Err: errors.New("a server needs a Certificate and its Key: set both")}
	}
	if f.CA == "" {
		return config, nil
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	if config.ClientCAs, err = readPool(f.CA); err != nil {
		return nil, err
	}
	return config, nil
}

// read builds the part common to Client and Server.
func (f Files) read() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.Certificate == "" && f.Key == "" {
		return config, nil
	}
	certificate, err := readFile("Certificate", f.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := readFile("Key", f.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, &FilesError{What: "Certificate and Key", Path: f.Certificate + ", " + f.Key, Err: err}
	}
	own, err := x509.ParseCertificate(pair.Certificate[0])
	if err == nil {
		err = checkValidity(own)
	}
	if err != nil {
		return nil, &FilesError{What: "Certificate", Path: f.Certificate, Err: err}
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

func readPool(path string) (*x509.CertPool, error) {
	text, err := readFile("CA", path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, &FilesError{What: "CA", Path: path, Err: errors.New("the file contains no certificate")}
	}
	return pool, nil
}

func readFile(what, path string) ([]byte, error) {
	if path == "" {
		return nil, &FilesError{What: what, Err: errors.New("the path is empty: set both Certificate and Key")}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, &FilesError{What: what, Path: path, Err: err}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("the file exceeds the size limit of %d bytes", maxFile)
	}
	if err != nil {
		return nil, &FilesError{What: what, Path: path, Err: err}
	}
	return text, nil
}
