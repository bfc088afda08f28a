"""When the password was proved last: for what is there, when the session began."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="devicesession",
            name="authenticated_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(
            "UPDATE sessions_app_devicesession SET authenticated_at = created_at",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="devicesession",
            name="authenticated_at",
            field=models.DateTimeField(),
        ),
    ]
