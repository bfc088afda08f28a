"""What other systems write for `PASSWORD`, each by its own library: Django 5.2, argon2-cffi 25.1,
bcrypt 3.2, passlib 1.7 and Werkzeug 3.1. Two are the same hash, written as the format also allows:
without the version, and with names."""

from typing import Final

PASSWORD: Final = "pässwörd-ключ-🔑"
HASHES: Final = {
    "django_argon2": "argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQxMjM0NTY3ODkwMTIzNA"
    "$6+b/JOfEu5X08ZJLkRdzRtSAW8FF5ZXmzRK1rtmb3HA",
    "django_pbkdf2_sha256": "pbkdf2_sha256$10000$NaClNaClNaClNaCl"
    "$Akjz7rJ8p9QkJjukRGj0mwqqgJ4ZQlVTuzXK7RTdTQw=",
    "django_pbkdf2_sha1": "pbkdf2_sha1$10000$NaClNaClNaClNaCl$bm6wk1ekqJ3i9rPUbyvM8FMJH9A=",
    "django_scrypt": "scrypt$16384$NaClNaClNaClNaCl$8$5"
    "$Ycnye3BMt4alCGWbKE5YzN/NNoKXctjloRUzXwvTCxGuuzQcwqDaku5Vuv1h8cezXVdNUReaoPYhpGYhx/uf7w==",
    # More memory than OpenSSL allows unless it is told.
    "django_scrypt_32_mib": "scrypt$32768$NaClNaClNaClNaClNaClNa$8$1"
    "$CjGpTFwYbMX1sWBUNxOZi9KF9W73ka7rTWe8+ru/sTHA1BnLcOmsWNTDLxLd0+HCqChgNX4lrB3gSJLSCh1mXg==",
    "django_bcrypt": "bcrypt$$2b$08$bUqRC/gZc6xkDyE6Daj8S.3Lj2EVDXAYCObSWHjYQ.63OK4aPWiUS",
    "django_bcrypt_sha256": "bcrypt_sha256"
    "$$2b$08$AfelNnKWAy0kj.kleGGNTut44x4ck2dHVFaNcL/kM2.fQjy7g0FuO",
    "argon2id": "$argon2id$v=19$m=1024,t=2,p=2$cEwX6ufftBAWnhLg4LiVYQ"
    "$c2yU2QKWStHn3JV/AKjTpWrRN5JGANgtdqWAzsK+7co",
    "argon2i": "$argon2i$v=19$m=1024,t=2,p=2$ClJ9vZLtnliC8/ON7Kyn4g"
    "$2BZy1nwS11AaQc39hl/2T3GMZjqlxn3VvLxNO8sMYNs",
    "argon2d": "$argon2d$v=19$m=1024,t=2,p=2$YG2Ng9z8cb+9GCCPaRr6pQ"
    "$ttqX9tHFKx4t4CQBekrqeCBsQIPRX/fz/hZU2lmfwnU",
    "argon2i_1_0": "$argon2i$v=16$m=1024,t=2,p=2$0CNvrUxM3UGqua+9LLgrgA"
    "$heBk3v36QDYSgYvtdK4jQ3ECOO5NGrfSJUxGNnt+z6E",
    "argon2i_1_0_unsaid": "$argon2i$m=1024,t=2,p=2$0CNvrUxM3UGqua+9LLgrgA"
    "$heBk3v36QDYSgYvtdK4jQ3ECOO5NGrfSJUxGNnt+z6E",
    "bcrypt_2b": "$2b$08$qrtnpTzOQRlNl5AtFjP9FeVoz99d5r4z6tqC3lxL2p8B1g4X1sVqC",
    "bcrypt_2a": "$2a$08$zqXjfoJcEhDDovrnPlV6g.F2haUuQvIAVQnZdmqkDXLDU90tRCfHi",
    "bcrypt_2y": "$2y$08$o9ZmBDf191KRP9XtN1.Xh.wPZRvgSHA3MNWWvJZd1p17JDiiQYMnG",
    # The salt is bytes that are no text, and has a "+", which passlib writes as a dot.
    "passlib_pbkdf2_sha256": "$pbkdf2-sha256$10000$8PHy8/T19vf4.fr7/P3./w"
    "$y9KN.r.hR7aMDKoaE.cuqoaSidx3vOW.kpibhFeRDMg",
    "passlib_pbkdf2_sha512": "$pbkdf2-sha512$10000$8PHy8/T19vf4.fr7/P3./w"
    "$nO0eiQv0Cqz8CUV3LRXQU/AZByiGFsf7/JoxSZlBwlc5m9hH4qeLdEbHQ9m.omY7T1AXiKW8yvV8rv9x3nyW8w",
    "passlib_pbkdf2_sha1": "$pbkdf2$10000$8PHy8/T19vf4.fr7/P3./w$Eizj6YxxT2zJre7KemXg5YAcFaU",
    "phc_pbkdf2_sha256": "$pbkdf2-sha256$i=10000,l=32$8PHy8/T19vf4+fr7/P3+/w"
    "$y9KN+r+hR7aMDKoaE+cuqoaSidx3vOW+kpibhFeRDMg",
    "phc_scrypt": "$scrypt$ln=13,r=8,p=1$8PHy8/T19vf4+fr7/P3+/w"
    "$Nw9UWO58b9/+JBKzdcSwbFaV2ZfIev91Wo3kB04GZ9U",
    "werkzeug_pbkdf2_sha256": "pbkdf2:sha256:10000$hGvZStZFKqXSWZ2Q"
    "$20b1f48484c039089a9cc0baaf1cca8dfb90af5917c9484a15f7f6678eb58d4a",
    "werkzeug_pbkdf2_sha1": "pbkdf2:sha1:10000$sVhcIYYdggdkEHhY"
    "$dc9abc08b6c48efb7819c78b124145f5014f670d",
    "werkzeug_pbkdf2_sha512": "pbkdf2:sha512:10000$xwLBTBFbu2OZGlFw"
    "$973dc6f8b11a3dfcfc37ac3bf8c2f405131f75610e440e0f6acfec35bb63613239bf6ebcf7d2810a4300236d"
    "bffc7f790d2c5933d9524962a60b5728a753748e",
    "werkzeug_scrypt": "scrypt:32768:8:1$WLS63aRu1raAxnxT"
    "$0038faf1413dbc7651bc5be7fec12e03bbb094d848d0d3a3d1b1108e397b000e8629497c467911214a8238a7"
    "1314a5e291827b5e3236b91368281d148ee9a4b9",
    "werkzeug_scrypt_p_2": "scrypt:8192:8:2$5yTpJnAKjSd8LkoQ"
    "$76c1b7d50946a3d7daf349e8f90f7fe608d69012ebea0b74fbf7d7cde54b14181920e30201ed72dcd96d6f16"
    "0a8aa59808f073e19d98d76fba5fc4900e11dba2",
}

LONG_PASSWORD: Final = "0123456789" * 8
LONG_BCRYPT: Final = "$2b$08$mOK370tUJvEHnPxDSPf0oOx64ycDUC6jh8o.dIT000x7l.XuNdoVG"
"""Of its first 72 bytes, as bcrypt has always read."""
LONG_BCRYPT_SHA256: Final = (
    "bcrypt_sha256$$2b$08$O80N0fyx/hK9XizrpCnVZet49tAjUTy7G39VvQ0ivfTi2HBpWuqfi"
)
CUT_WITHIN_A_LETTER: Final = "x" * 71 + "ключ"
"""The 72nd byte is the first of two."""
CUT_WITHIN_A_LETTER_BCRYPT: Final = "$2b$08$d/YAf7mgHCjuz5jpIlYJku2Ieommuzv/FwUubzspxzxKaKKw/r6Dq"
